"""Definitions on the command line: files checked, decisions asked, without a house."""
