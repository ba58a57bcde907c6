"""Workers: in this thread, in threads, in processes, on a virtual clock."""
