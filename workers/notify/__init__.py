"""Telling whoever asked that a request has ended: by webhook, by e-mail. Where to is in no log and in no job."""
