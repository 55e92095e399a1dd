"""A folder for the PYTHONPATH of workers under test: their interpreter loads ``sitecustomize`` from here."""
