"""PostgreSQL: everything that must survive. One file per aggregate."""
