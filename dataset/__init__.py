"""Faces on disk and in memory."""
