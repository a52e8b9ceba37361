"""What a trial is read from: its plan, clinical data (CSV, REDCap), allocation, recordings of a batch."""
