"""Where it is kept: the only readers and writers of files, catalogs and stores."""
