"""All limits on what one visitor, and all visitors together, may use."""

from portrait_pipeline.decoding.processes import PictureLimits

MAX_UPLOAD_BYTES = 12_000_000
"""A photo of a present-day phone has 3 to 10 MB."""
MAX_PICTURE_PIXELS = 32_000_000
"""Read from the file's header before a pixel is unpacked: 96 MB in memory at most."""
PICTURE_LIMITS = PictureLimits(MAX_PICTURE_PIXELS, MAX_UPLOAD_BYTES, seconds=8)
"""The one decoder enforces them on what it decodes, in a process of its own."""
MAX_MESSAGE_BYTES = 64_000
"""Of everything that is sent and is no photo."""

MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE = 700, 96
"""Open connections, with a request or none yet; a system may allow a program 1024 open files."""
MAX_REQUESTS, MAX_REQUESTS_OF_ONE = 640, 64
"""Requests in progress; an open page keeps two of them open."""
MAX_UPLOADS, MAX_UPLOADS_OF_ONE = 32, 8
"""Uploads in progress."""
MAX_WAITING, MAX_WAITING_OF_ONE = 24, 8
"""Photos that wait for their portrait."""
MAX_STORED_BYTES, MAX_STORED_BYTES_OF_ONE = 400_000_000, 100_000_000
"""Uploads and portraits that lie on the disk; more than that deletes the oldest ones."""

HEADER_SECONDS = 10.0
"""For the header of a request."""
UPLOAD_SECONDS = 120.0
"""For the whole of an upload: 12 MB at 0.8 Mbit/s."""
MESSAGE_SECONDS = 10.0
"""For the whole of every other body."""
SILENCE_SECONDS = 10.0
"""Between two pieces of a body."""
KEEP_SECONDS = 600.0
"""How long a portrait can be downloaded, and a face be shown with another model."""
SWEEP_SECONDS = 30.0
"""How often what is older than that is deleted."""
TIME_LIMIT_SECONDS = 30.0
"""For one portrait, once it is its turn."""

MAX_SESSIONS = 100
MAX_MODELS_IN_MEMORY = 3
