"""What face_completion.py is made of: results on disk, the pictures of a batch of faces, and what shows all of them."""
