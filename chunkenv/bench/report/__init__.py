"""What is shown of a finished study, as a page of HTML and as Markdown."""
