"""Tables, figures, films and pages: pure functions of records."""
