"""Quotas: what providers let the holders of their keys call, counted over every process that uses one."""
