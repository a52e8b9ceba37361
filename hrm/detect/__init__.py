"""Swallows, the resting segment and the landmarks, proposed from the pressure."""
