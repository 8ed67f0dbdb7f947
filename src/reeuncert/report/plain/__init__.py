"""A plain page: verdict, headlines, every year, all indicators, provenance. Tables only, no figure, no script."""
