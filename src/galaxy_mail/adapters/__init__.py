"""The driven side: each folder translates one port into one technology and is a stranger to the others."""
