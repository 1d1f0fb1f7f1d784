"""personal-library-cache-warmer: takes a library, and has the proxy search for every book in it."""
