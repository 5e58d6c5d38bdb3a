"""Law as a classification that all can read: who deters whom (boycott), what the rules are (system), how well
they are rules (fuller), and what legal attributes do to the bound (attributes)."""
