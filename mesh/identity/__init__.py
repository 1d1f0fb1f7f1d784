"""Who is who: operators by token, services and operators by certificate."""
