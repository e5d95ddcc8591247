"""The report page: tables, plots, pictures and the HTML that holds them."""
