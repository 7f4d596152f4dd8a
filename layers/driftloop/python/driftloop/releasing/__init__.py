"""What a release is judged by: evidence of both versions, what each check finds in it, bounds."""
