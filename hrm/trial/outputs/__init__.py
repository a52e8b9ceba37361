"""What a report is made of beside its tables: figures, Word, data sets, manifest, the page."""
