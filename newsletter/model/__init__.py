"""The records and enums that the stages share: no input, no output, no rules of any one stage."""
