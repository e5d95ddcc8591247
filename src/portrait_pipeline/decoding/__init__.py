"""The one decoder of picture files, and the processes that it runs in."""
