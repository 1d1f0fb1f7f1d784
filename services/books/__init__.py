"""books-api-proxy: answers searches from two cache tiers, and asks the providers for what they have not."""
