"""Tracking: record opens and clicks of people who agreed to it, and judge which of them machines made."""
