"""The records and enums that the stages share. They do no input or output, and contain no rules of a single stage."""
