"""Cron triggers: when they are due, and that each instant is fired once over all replicas of a service."""
