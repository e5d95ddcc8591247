"""What one visitor may ask of the machine, in one place."""

MAX_UPLOAD_BYTES = 12_000_000
"""A photo of a present-day phone has 3 to 10 MB."""
MAX_PICTURE_PIXELS = 32_000_000
"""Read from the file's header before a pixel is unpacked: 96 MB in memory at most."""
MAX_MESSAGE_BYTES = 64_000
"""Of everything that is sent and is no photo."""
MAX_UPLOADS_AT_ONCE = 8
MAX_STORED_BYTES = 400_000_000
"""Uploads and portraits that lie on the disk at one time."""
KEEP_SECONDS = 600.0
"""How long a portrait can be downloaded, and a face be shown with another model."""
MAX_WAITING = 24
"""Requests in the queue; more are told to come back."""
TIME_LIMIT_SECONDS = 30.0
"""For one portrait, once it is its turn."""
MAX_SESSIONS = 100
MAX_MODELS_IN_MEMORY = 3
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What Pillow may try to read; no SVG, no document, nothing that calls another program."""
