"""What a person is told, when something needs one."""
