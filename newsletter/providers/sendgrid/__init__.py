"""SendGrid: mail, schedules, suppressions and history through its Web API."""
