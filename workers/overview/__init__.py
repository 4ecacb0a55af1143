"""What goes on, and how screens say it: for the command line and for the HTTP face."""
