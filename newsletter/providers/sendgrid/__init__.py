"""SendGrid: email, schedules, suppressions and history through its Web API."""
