"""The physician's viewer: a server on this machine, and the page that it sends.

Importing this package loads nothing heavy; `hrm.viewer.serve` starts the server.
"""
