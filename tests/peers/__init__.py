"""Published problems of material flow analysis and data reconciliation, as cases of this package.

Their inputs and reference results are read from the folder that the environment variable ``REEUNCERT_CASES`` names;
they are not part of the project.
"""
