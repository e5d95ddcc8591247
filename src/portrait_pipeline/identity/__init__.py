"""Who is pictured: face embedders behind one interface."""
