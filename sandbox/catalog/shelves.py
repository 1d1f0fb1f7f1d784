"""The only place that says whose books the sample libraries hold."""

LIBRARY = {
    # Read and read again: an author's search pays here.
    "William Shakespeare": 7, "Charles Dickens": 6, "Jane Austen": 5, "Mark Twain": 5, "Nora Roberts": 6,
    "Arthur Conan Doyle": 5, "P. G. Wodehouse": 5, "Jack London": 4, "Laura Ingalls Wilder": 4,
    "Anne Perry": 4, "Patrick O'Brian": 4, "Marion Zimmer Bradley": 4, "C. J. Cherryh": 4,
    "Dean R. Koontz": 4, "Jeffery Deaver": 4, "Tom Clancy": 3, "John Sandford": 3, "Zane Grey": 3,
    "Edith Wharton": 3, "Thomas Hardy": 3, "Louisa May Alcott": 3, "Oscar Wilde": 3, "Alexandre Dumas": 3,
    "Leo Tolstoy": 3, "Anton Pavlovich Chekhov": 3, "Jorge Luis Borges": 3, "Gabriel García Márquez": 3,
    "José Saramago": 3, "Colin Dexter": 3, "Elizabeth Peters": 3, "Amy Tan": 1,
    # A shelf's breadth in English.
    "Plato": 2, "Euripides": 2, "Homer": 1, "Evelyn Waugh": 2, "Henry James": 2, "Nathaniel Hawthorne": 2,
    "Daniel Defoe": 2, "Henry David Thoreau": 2, "Charlotte Brontë": 2, "Emily Brontë": 1,
    "Mary Wollstonecraft Shelley": 2, "C. S. Forester": 2, "Bernard Cornwell": 2, "Robert Ludlum": 2,
    "John Steinbeck": 2, "Ernest Hemingway": 2, "Muriel Spark": 2, "Fay Weldon": 2, "Anita Desai": 2,
    "Larry McMurtry": 2, "Erle Stanley Gardner": 2, "Fred Saberhagen": 2, "Margaret Weis": 2,
    "Alice Hoffman": 2, "Danielle Steel": 2, "Debbie Macomber": 2, "Gertrude Chandler Warner": 2,
    "Margaret Wise Brown": 2, "Stan Berenstain": 2, "Scott Adams": 1, "Alistair MacLeod": 1, "Edna Ferber": 1,
    "Jack Higgins": 1, "Jack L. Chalker": 1, "Martin McDonagh": 1, "Michael Longley": 1, "Edgar Allan Poe": 1,
    "Niyi Osundare": 1, "Jonathan D. Spence": 1, "Jalāl al-Dīn Rūmī": 1, "Molière": 1, "Voltaire": 1,
    "Ovid": 1, "Dr. Seuss": 1,
    # Other languages in Latin letters.
    "Johann Wolfgang von Goethe": 2, "Rainer Maria Rilke": 2, "Günter Grass": 1, "Thomas Mann": 1,
    "Elfriede Jelinek": 1, "Erich Kästner": 1, "Hans Magnus Enzensberger": 1, "Hilde Domin": 1,
    "Christine Nöstlinger": 1, "Friedrich Schiller": 1, "Antoine de Saint-Exupéry": 2, "Georges Simenon": 2,
    "Amélie Nothomb": 2, "Édouard Glissant": 1, "Christine Angot": 1, "Honoré de Balzac": 1,
    "Michel Tremblay": 1, "Wajdi Mouawad": 1, "Christian Bobin": 1, "Leïla Sebbar": 1,
    "Miguel de Cervantes Saavedra": 1, "Federico García Lorca": 1, "Pablo Neruda": 1, "Octavio Paz": 1,
    "Javier Marías": 1, "Benito Pérez Galdós": 1, "Juan Rulfo": 1, "César Vallejo": 1, "Mario Benedetti": 1,
    "Ricardo Piglia": 1, "Andrea Camilleri": 2, "Alda Merini": 1, "Giovanni Verga": 1,
    "Pier Paolo Pasolini": 1, "Gabriele D'Annunzio": 1, "António Lobo Antunes": 1, "Eça de Queirós": 1,
    "João Cabral de Melo Neto": 1, "Miguel Torga": 1, "Nuno Júdice": 1, "Søren Kierkegaard": 1,
    "Lars Saabye Christensen": 1, "Hanne Ørstavik": 1, "Herbjørg Wassmo": 1, "Alf Åberg": 1,
    "Arto Paasilinna": 1, "Andri Snær Magnason": 1, "Tibor Déry": 1, "György Dalos": 1, "Czesław Miłosz": 1,
    "Sławomir Mrożek": 2, "Josef Škvorecký": 1, "Václav Havel": 1, "Ismail Kadare": 1, "Selim İleri": 1,
    "Harry Mulisch": 1, "Renate Dorrestein": 1, "Viktor Pelevin": 1, "Maksim Fraĭ": 2, "Bella Akhmadulina": 1,
    "Marina T︠S︡vetaeva": 1, "Odysseas Elytēs": 1, "Baltasar Porcel": 1, "Silva Kaputikyan": 1,
    "Mahāśvetā Debī": 1,
    # Other scripts.
    "三島由紀夫": 2, "大野晋": 1, "網野善彦": 1, "加藤典洋": 1, "苏童": 2, "叶兆言": 1, "朱自清": 1, "郭沫若": 1,
    "胡适": 1, "梁啟超": 1, "이청준": 2, "최인호": 1, "이해인": 1, "김주영": 1, "أنيس منصور": 1,
    "شوقي ضيف": 1, "أحمد تيمور": 1, "احمد شاملو": 1, "فهيمه رحيمى": 1, "אהרן אפלפלד": 2, "חנוך לוין": 1,
    "רם אורן": 1,
}  # fmt: skip
"""Author, as the catalogue has the name -> how many of the works stand on the shelf of library.csv."""

GOODREADS = {
    "Jane Austen": 2, "Charles Dickens": 2, "William Shakespeare": 2, "Nora Roberts": 2, "Tom Clancy": 1,
    "Gertrude Chandler Warner": 2, "Mark Twain": 1, "Jorge Luis Borges": 1, "Amélie Nothomb": 1,
    "Andrea Camilleri": 1, "Gabriel García Márquez": 1, "José Saramago": 1, "Antoine de Saint-Exupéry": 1,
    "Dr. Seuss": 1, "Stan Berenstain": 1, "Danielle Steel": 1, "Robert Ludlum": 1, "Ernest Hemingway": 1,
    "Søren Kierkegaard": 1, "Sławomir Mrożek": 1, "三島由紀夫": 1, "苏童": 1, "이청준": 1, "أنيس منصور": 1,
    "אהרן אפלפלד": 1,
}  # fmt: skip
"""The same for goodreads.csv."""
