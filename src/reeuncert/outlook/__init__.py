"""Outlook: supply, demand and dependence in future years, from a result, plans with delays, and projections."""
