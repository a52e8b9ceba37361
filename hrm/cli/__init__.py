"""The command line: one module per subcommand, heavy imports inside functions."""
