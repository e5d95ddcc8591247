"""What turns a folder of pictures into aligned square face crops."""
