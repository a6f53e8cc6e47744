"""The house that the product lives in on one machine: embedded servers, the supervisor, and the checks."""
