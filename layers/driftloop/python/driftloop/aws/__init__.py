"""Adapters to AWS through boto3. They hold no decision; clients are made at first use."""
