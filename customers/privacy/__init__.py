"""A person's rights over what is recorded about them: a copy of all of it, and its erasure. Rules in words: docs/privacy.md."""
