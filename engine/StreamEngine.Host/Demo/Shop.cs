using System.Globalization;

namespace StreamEngine.Host.Demo;

/// <summary>
/// A seeded synthetic shop: customers browse, fill carts, buy, abandon, send back, and change their consent. A fifth of the customers make
/// most of the sessions. A few records are what real streams have too: repeated, late, without a customer, or broken. The same seed gives
/// the same events.
/// </summary>
internal sealed class Shop
{
    private const int Products = 400;
    private static readonly string[] Categories = ["shoes", "coats", "bags", "games", "books", "garden", "kitchen", "beauty"];
    private static readonly string[] Placements = ["home", "product", "cart", "", "", "", "", ""];
    private static readonly string[][] Consents = [["analytics", "marketing"], ["analytics"], []];

    private readonly Random _random;
    private readonly Customer[] _customers;
    private readonly List<Customer> _active = [];
    private readonly int _wanted;
    private readonly long _seed;
    private readonly ShopEvent _event = new();
    private string _lastId = "", _lastCustomer = "";
    private long _count;

    /// <summary>Opens the shop.</summary>
    /// <param name="seed">Another seed makes another history.</param>
    /// <param name="customers">How many customers there are.</param>
    /// <param name="before">How many events it had before: it goes on with other ones, under new ids.</param>
    public Shop(int seed, int customers, long before = 0)
    {
        (_seed, _count) = (seed, before);
        _random = new Random(seed);
        _wanted = Math.Max(1, Math.Min(customers / 2, 2_000));
        _customers = new Customer[customers];
        for (var i = 0; i < customers; i++)
            _customers[i] = new Customer
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"c-{i:D6}"),
                Taste = _random.Next(Categories.Length),
                Consent = Consents[Draw(0.8, 0.12)]
            };
        if (before > 0) _random = new Random(seed ^ (int)before);
    }

    /// <summary>The next event at a time; the object is reused.</summary>
    public ShopEvent Next(long time)
    {
        var kind = _random.NextDouble();
        var customer = Pick();
        Start(time);
        if (kind < 0.001) return Change(customer);
        if (kind < 0.003 && customer.Bought > 0) return Return(customer);
        Step(customer);
        if (kind > 0.9995) _event.Broken = true;
        else if (kind > 0.998) _event.CustomerId = "";
        else if (kind > 0.997) _event.Time = time - 6 * 3_600_000L;
        else if (kind > 0.993 && _lastId.Length > 0) (_event.EventId, _event.CustomerId) = (_lastId, _lastCustomer);
        else (_lastId, _lastCustomer) = (_event.EventId, _event.CustomerId);
        return _event;
    }

    private void Start(long time)
    {
        var e = _event;
        e.EventId = string.Create(CultureInfo.InvariantCulture, $"e-{_seed}-{_count++:D9}");
        (e.Time, e.Broken, e.Placement, e.Product, e.Category, e.ValueCents, e.Quantity) = (time, false, "", "", "", 0, 0);
    }

    /// <summary>A customer with an open session; new sessions begin as others end.</summary>
    private Customer Pick()
    {
        if (_active.Count < _wanted && (_active.Count == 0 || _random.NextDouble() < 0.2))
        {
            var often = Math.Max(1, _customers.Length / 5);
            var customer = _customers[_random.NextDouble() < 0.65 ? _random.Next(often) : _random.Next(_customers.Length)];
            if (!customer.Active)
            {
                customer.Active = true;
                _active.Add(customer);
            }
            return customer;
        }
        return _active[_random.Next(_active.Count)];
    }

    private void Step(Customer c)
    {
        var step = _random.NextDouble();
        if (step < 0.62) View(c);
        else if (step < 0.72) Fill(c, "search");
        else if (step < 0.86) Add(c);
        else if (step < 0.89 && c.Cart > 0) Remove(c);
        else if (step < 0.93 && c.Cart > 0) Buy(c);
        else if (step < 0.95) Fill(c, "email_open");
        else
        {
            View(c);
            Leave(c);
        }
    }

    private void View(Customer c)
    {
        Fill(c, "page_view");
        _event.Placement = Placements[_random.Next(Placements.Length)];
        if (_event.Placement == "home") return;
        Product(c);
    }

    private void Add(Customer c)
    {
        Fill(c, "cart_add");
        Product(c);
        _event.Quantity = 1 + Draw(0.8, 0.15);
        _event.ValueCents *= _event.Quantity;
        c.Cart += _event.ValueCents;
    }

    private void Remove(Customer c)
    {
        Fill(c, "cart_remove");
        Product(c);
        _event.Quantity = 1;
        _event.ValueCents = Math.Min(_event.ValueCents, c.Cart);
        c.Cart -= _event.ValueCents;
    }

    private void Buy(Customer c)
    {
        Fill(c, "purchase");
        _event.ValueCents = c.Bought = c.Cart;
        _event.Quantity = 1;
        c.Cart = 0;
        Leave(c);
    }

    private ShopEvent Return(Customer c)
    {
        Fill(c, "return");
        _event.ValueCents = -c.Bought;
        _event.Quantity = -1;
        c.Bought = 0;
        return _event;
    }

    private ShopEvent Change(Customer c)
    {
        c.Consent = Consents[Draw(0.6, 0.2)];
        Fill(c, "consent_change");
        return _event;
    }

    private void Leave(Customer c)
    {
        c.Active = false;
        c.Cart = 0;
        _active.Remove(c);
    }

    private void Fill(Customer c, string type) => (_event.CustomerId, _event.Type, _event.Consent) = (c.Id, type, c.Consent);

    private void Product(Customer c)
    {
        var category = _random.NextDouble() < 0.6 ? c.Taste : _random.Next(Categories.Length);
        var product = _random.Next(Products / Categories.Length) * Categories.Length + category;
        _event.Category = Categories[category];
        _event.Product = string.Create(CultureInfo.InvariantCulture, $"p-{product:D3}");
        _event.ValueCents = 499 + product * 7919L % 15_000;
    }

    /// <summary>0 with the first probability, 1 with the second, else 2.</summary>
    private int Draw(double first, double second)
    {
        var x = _random.NextDouble();
        return x < first ? 0 : x < first + second ? 1 : 2;
    }

    private sealed class Customer
    {
        public string Id = "";
        public int Taste;
        public string[] Consent = [];
        public bool Active;
        public long Cart, Bought;
    }
}
