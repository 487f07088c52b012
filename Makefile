# Thin names for commands that can be typed just as well.
