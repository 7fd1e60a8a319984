"""Quality: one file per check (a file that defines ``CHECK``), and the split that leaks nothing."""
