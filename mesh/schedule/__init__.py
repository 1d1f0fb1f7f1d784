"""What a service does by the clock: each due instant of a cron line fires once, however many replicas there are."""
