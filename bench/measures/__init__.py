"""One module for each question; each is `async def measure(rig, book)`."""
