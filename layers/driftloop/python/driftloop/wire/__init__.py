"""AWS with the standard library alone, for where boto3's half second of import is too long."""
