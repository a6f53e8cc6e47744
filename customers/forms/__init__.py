"""What people may enter, a noun a module. A form checks and cleans; the writing is the model's or an action's."""
