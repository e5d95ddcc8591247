"""One photo in, one portrait out: find and crop the face as in training, translate, paste back."""
