"""Tracking: record opens and clicks of people who agreed to it."""
