// Nothing of its own: the source that the precompiled ATen header is built for.
