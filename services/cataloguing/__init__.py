"""The rules by which foreign records of books become clean fields: text, names, titles, dates, languages, formats.

Every service that reads records of others goes by them, so they are no service's own. All of it is pure, and none of it
knows a provider, a service or the mesh.
"""
