"""What people may enter. A form checks and cleans; the writing is the model's or an action's."""
